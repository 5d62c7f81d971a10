# Activation, accounts, users' settings, SMB 1, BitLocker, backups and disk health: one start for seven probes.
# No name of a user, host, share or key, no serial number, no SID leaves this script.
$budget = 65
Read-Part 'licences' 30 {
  Get-CimInstance -ClassName SoftwareLicensingProduct -OperationTimeoutSec 25 -Filter 'PartialProductKey IS NOT NULL' -Property Name,ApplicationID,LicenseStatus,GracePeriodRemaining,LicenseFamily,LicenseIsAddon,ProductKeyChannel |
    Select-Object -Property Name,ApplicationID,LicenseStatus,GracePeriodRemaining,LicenseFamily,LicenseIsAddon,ProductKeyChannel
}
Read-Part 'password' 10 {
  $here = [ADSI]'WinNT://.,computer'
  $rules = @{}
  foreach ($name in 'MinPasswordLength','MaxPasswordAge','PasswordHistoryLength','MaxBadPasswordsAllowed') {
    $rules[$name] = $here.psbase.InvokeGet($name)
  }
  [pscustomobject]$rules
}
Read-Part 'accounts' 20 {
  $local = @(Get-CimInstance -ClassName Win32_UserAccount -OperationTimeoutSec 15 -Filter 'LocalAccount=True' -Property SID,Disabled,PasswordRequired)
  $group = [Security.Principal.SecurityIdentifier]::new('S-1-5-32-544')
  $name = $group.Translate([Security.Principal.NTAccount]).Value.Split('\')[-1]
  $members = @(([ADSI]('WinNT://./' + $name + ',group')).psbase.Invoke('Members') | ForEach-Object {
    [Security.Principal.SecurityIdentifier]::new([byte[]]([ADSI]$_).psbase.InvokeGet('objectSid'), 0).Value
  })
  $on = @($local | Where-Object { -not $_.Disabled })
  [pscustomobject]@{
    enabled = $on.Count
    administrators = @($on | Where-Object { $members -contains $_.SID }).Count
    others_in_administrators = @($members | Where-Object { @($local | ForEach-Object { $_.SID }) -notcontains $_ }).Count
    guest_enabled = [bool]@($on | Where-Object { $_.SID -like '*-501' }).Count
    builtin_administrator_enabled = [bool]@($on | Where-Object { $_.SID -like '*-500' }).Count
    without_password = @($on | Where-Object { -not $_.PasswordRequired }).Count
  }
}
Read-Part 'users' 10 {
  # names may be listed by everybody, a hive is read by its user, SYSTEM and administrators alone
  $users = [Microsoft.Win32.Registry]::Users
  foreach ($sid in @($users.GetSubKeyNames() | Where-Object { $_ -match '^S-1-(5-21|12-1)-[\d-]+$' })) {
    $found = @{}
    $wanted = @(
      @('Microsoft\Windows\CurrentVersion\Policies\Attachments', 'SaveZoneInformation'),
      @('Microsoft\Windows\CurrentVersion\Policies\Attachments', 'HideZoneInfoOnProperties'),
      @('Microsoft\Windows\CurrentVersion\Policies\Attachments', 'ScanWithAntiVirus'),
      @('Microsoft\Windows\CurrentVersion\Policies\Explorer', 'NoDriveTypeAutoRun'),
      @('Microsoft\Windows\CurrentVersion\Explorer\AutoplayHandlers', 'DisableAutoplay'),
      @('Policies\Microsoft\Windows\Control Panel\Desktop', 'ScreenSaveActive'),
      @('Policies\Microsoft\Windows\Control Panel\Desktop', 'ScreenSaverIsSecure'),
      @('Policies\Microsoft\Windows\Control Panel\Desktop', 'ScreenSaveTimeOut'),
      @('Microsoft\Windows\CurrentVersion\FileHistory', 'ProtectedUpToTime')
    )
    try {
      $software = $users.OpenSubKey($sid + '\Software')
      foreach ($pair in $wanted) {
        $key = $software.OpenSubKey($pair[0])
        if ($null -ne $key) { $found[$pair[1]] = $key.GetValue($pair[1]) }
      }
    } catch { $found = @{ error = $_.FullyQualifiedErrorId } }
    [pscustomobject]$found
  }
}
Read-Part 'smb' 15 { Get-SmbServerConfiguration | Select-Object -Property EnableSMB1Protocol }
Read-Part 'smb_feature' 20 {
  Get-CimInstance -ClassName Win32_OptionalFeature -OperationTimeoutSec 15 -Filter "Name='SMB1Protocol'" -Property Name,InstallState |
    Select-Object -Property InstallState
}
Read-Part 'volumes' 20 {
  Get-CimInstance -Namespace 'root\CIMV2\Security\MicrosoftVolumeEncryption' -ClassName Win32_EncryptableVolume -OperationTimeoutSec 15 |
    Where-Object { $_.DriveLetter } | ForEach-Object {
      $state = Invoke-CimMethod -InputObject $_ -MethodName GetConversionStatus -ErrorAction SilentlyContinue
      [pscustomobject]@{
        volume = $_.DriveLetter
        system = $_.DriveLetter -eq $env:SystemDrive
        type = $_.VolumeType
        protection = $_.ProtectionStatus
        conversion = $(if ($null -ne $state) { $state.ConversionStatus } else { $null })
      }
    }
}
Read-Part 'wbsummary' 15 {
  $at = (Get-WBSummary).LastSuccessfulBackupTime
  if ($at -and $at.Year -gt 1980) { $at.ToUniversalTime().ToString('o', [Globalization.CultureInfo]::InvariantCulture) }
}
Read-Part 'wbevent' 15 {
  $at = (Get-WinEvent -FilterHashtable @{ LogName = 'Microsoft-Windows-Backup'; Id = 4 } -MaxEvents 1).TimeCreated
  $at.ToUniversalTime().ToString('o', [Globalization.CultureInfo]::InvariantCulture)
}
Read-Part 'restore_points' 15 {
  Get-CimInstance -Namespace 'root\default' -ClassName SystemRestore -OperationTimeoutSec 10 |
    Select-Object -Property CreationTime
}
Read-Part 'disks' 20 {
  Get-CimInstance -Namespace 'root\Microsoft\Windows\Storage' -ClassName MSFT_PhysicalDisk -OperationTimeoutSec 15 |
    Select-Object -Property DeviceId,BusType,HealthStatus,OperationalStatus
}
Read-Part 'reliability' 25 {
  Get-CimInstance -Namespace 'root\Microsoft\Windows\Storage' -ClassName MSFT_PhysicalDisk -OperationTimeoutSec 15 |
    Get-StorageReliabilityCounter |
    Select-Object -Property DeviceId,Wear,PowerOnHours,ReadErrorsUncorrected
}
Read-Part 'prediction' 15 {
  $index = @{}
  Get-CimInstance -ClassName Win32_DiskDrive -OperationTimeoutSec 10 -Property Index,PNPDeviceID |
    ForEach-Object { $index[$_.PNPDeviceID.ToUpperInvariant()] = $_.Index }
  Get-CimInstance -Namespace 'root\wmi' -ClassName MSStorageDriver_FailurePredictStatus -OperationTimeoutSec 10 | ForEach-Object {
    $id = ($_.InstanceName -replace '_\d+$', '').ToUpperInvariant()
    [pscustomobject]@{ disk = $index[$id]; predicted = $_.PredictFailure }
  }
}
Write-Answer
