# Security Center's products (not on Windows Server), Defender's own status, and other makers' services;
# each with its error. `present` says whether a product's program is still there: uninstalled products
# leave entries behind. Defender's query can hang beside another product: it has its own time limit.
$budget = 50
Read-Part 'products' 20 {
  Get-CimInstance -Namespace 'root\SecurityCenter2' -ClassName AntiVirusProduct -OperationTimeoutSec 15 | ForEach-Object {
    $path = [Environment]::ExpandEnvironmentVariables([string]$_.pathToSignedProductExe).Trim('"')
    $present = $null
    if ($path -match '^[A-Za-z]:\\') { $present = Test-Path -LiteralPath $path }
    [pscustomobject]@{
      displayName = $_.displayName
      productState = $_.productState
      timestamp = $_.timestamp
      pathToSignedProductExe = $(if ($path -like 'windowsdefender:*') { 'windowsdefender://' } else { $null })
      present = $present
    }
  }
}
Read-Part 'defender' 20 {
  Get-CimInstance -Namespace 'root\Microsoft\Windows\Defender' -ClassName MSFT_MpComputerStatus -OperationTimeoutSec 15 |
    Select-Object -Property AMRunningMode,AMServiceEnabled,AntivirusEnabled,RealTimeProtectionEnabled,AMProductVersion,AntivirusSignatureVersion,AntivirusSignatureLastUpdated,AntivirusSignatureAge,DefenderSignaturesOutOfDate,IsTamperProtected,QuickScanEndTime,FullScanEndTime,QuickScanAge,FullScanAge
}
Read-Part 'services' 10 {
  Get-Service -ErrorAction SilentlyContinue -Name 'WinDefend','AVP*','klnagent','ekrn','SepMasterService','McShield','mfemms','SAVService','Sophos Endpoint Defense Service','ntrtscan','TmCCSF','EPSecurityService','VSSERV','CSFalconService','SentinelAgent','avast! Antivirus','AVG Antivirus','AntiVirService','FSMA','MBAMService','BkavService','CMCCore' |
    Select-Object -Property Name,@{n='running';e={ $_.Status -eq 'Running' }}
}
Write-Answer
