# Security Center's products (not on Windows Server) and Defender's own status; each with its error.
# `present` says whether a product's program is still there: uninstalled products leave entries behind.
$answer = [ordered]@{}
try {
  $answer.products = @(Get-CimInstance -Namespace root\SecurityCenter2 -ClassName AntiVirusProduct -OperationTimeoutSec 15 |
    ForEach-Object {
      $path = [Environment]::ExpandEnvironmentVariables([string]$_.pathToSignedProductExe).Trim('"')
      $present = $null
      if ($path -match '^[A-Za-z]:\\') { $present = Test-Path -LiteralPath $path }
      [pscustomobject]@{
        displayName = $_.displayName
        productState = $_.productState
        timestamp = $_.timestamp
        pathToSignedProductExe = if ($path -like 'windowsdefender:*') { 'windowsdefender://' } else { $null }
        present = $present
      }
    })
} catch { $answer.products_error = '{0} 0x{1:x8}' -f $_.Exception.Message, $_.Exception.HResult }
try {
  $answer.defender = Get-CimInstance -Namespace root\Microsoft\Windows\Defender -ClassName MSFT_MpComputerStatus -OperationTimeoutSec 15 |
    Select-Object AMRunningMode, AMServiceEnabled, AntivirusEnabled, RealTimeProtectionEnabled, AMProductVersion,
      AntivirusSignatureVersion, AntivirusSignatureLastUpdated, AntivirusSignatureAge, DefenderSignaturesOutOfDate
} catch { $answer.defender_error = '{0} 0x{1:x8}' -f $_.Exception.Message, $_.Exception.HResult }
[pscustomobject]$answer | ConvertTo-Json -Depth 4 -Compress
